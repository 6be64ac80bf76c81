"""Word pieces of a short text by BPE and unigram, and how the tokenizers library cuts words: pip install tokenizers==0.22.1."""
import json

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

text = ['the cat sat on the mat', 'the other cat is there', 'that hat is on the cat', "it's not there"] * 3
words = ['the', 'that', 'cats', 'mother', "it's", 'quiz']
golden = {}
for kind in ['bpe', 'unigram']:
    if kind == 'bpe':
        tokenizer = Tokenizer(models.BPE(unk_token='<unk>'))
        trainer = trainers.BpeTrainer(vocab_size=40, special_tokens=['<unk>'], show_progress=False)
    else:
        tokenizer = Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(vocab_size=30, special_tokens=['<unk>'], unk_token='<unk>', show_progress=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.save(f'{kind}.json', pretty=False)
    encoded = {word: tokenizer.encode(word, add_special_tokens=False) for word in words}
    golden[kind] = {word: None if 0 in e.ids else e.tokens for word, e in encoded.items()}
with open('golden.json', 'w') as file:
    json.dump(golden, file, ensure_ascii=False)
