"""Trains word pieces on a text: train_tokenizer.py PIECES tokenizer.json < text, where a line is a transcript.

Needs `pip install tokenizers`. For a data directory: cut -d' ' -f2- text | python3 train_tokenizer.py 500 tokenizer.json
"""
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

pieces, out = int(sys.argv[1]), sys.argv[2]
tokenizer = Tokenizer(models.BPE(unk_token='<unk>'))
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()  # words begin with ▁
tokenizer.decoder = decoders.Metaspace()
trainer = trainers.BpeTrainer(vocab_size=pieces, special_tokens=['<unk>'], show_progress=False)
tokenizer.train_from_iterator((line.rstrip('\n') for line in sys.stdin), trainer)
tokenizer.save(out)
