export * from './fbank';
export * from './layers';
