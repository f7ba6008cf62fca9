/** What commands in Node need beside the engine. */
export { captureDriverOutput } from './driver-output.node.ts';
