export * from './attention';
export * from './ctc';
export * from './fbank';
export * from './half';
export * from './layers';
export * from './losses';
export * from './posteriors';
export * from './recurrent';
