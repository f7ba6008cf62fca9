/** What commands in Node need beside the engine. */
export { endWithOutput } from './closed-output.node.ts';
export { captureDriverOutput } from './driver-output.node.ts';
