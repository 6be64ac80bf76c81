export * from './fbank';
export * from './layers';
export { distillation } from './losses';
