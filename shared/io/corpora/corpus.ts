/** An utterance as a corpus has it. */
export interface CorpusUtterance {
  id: string;
  speaker: string;
  /** Path of the audio it is in, from where we are. */
  audio: string;
  /** Its part of a recording, where it is not all of it. */
  segment?: { recording: string; startSeconds: number; endSeconds: number };
  /** The transcript, line by line, each with its file and line for messages. */
  said: readonly Line[];
  /** Which file and line names its audio, for messages. */
  place: string;
}

/** A line of a text. */
export interface Line {
  text: string;
  /** File and line. */
  place: string;
}

/** Takes what is wrong with a corpus, with file and line; with an utterance where leaving that out would mend it. */
export type Report = (problem: string, utterance?: string) => void;

/** A corpus on disk: its parts by name, read when they are needed. */
export interface Corpus {
  subsets: readonly string[];
  read(subset: string, report: Report): CorpusUtterance[];
}

/** Names of files that hold audio we can read. */
export const audioName = /\.(wav|flac|opus|ogg|oga|mp3)$/i;

/** The name of a file without folder and extension. */
export const stemOf = (name: string): string => name.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
