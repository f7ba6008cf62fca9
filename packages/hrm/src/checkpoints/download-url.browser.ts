/** Downloads in a browser. */

import { type ByteSource, blobSource } from '../formats/files/byte-source.ts';
import { checkAnswer, fetchError, type OpenOptions } from './open-url.ts';

/**
 * Downloads the file behind a URL into a Blob, which browsers keep on disk where it is large.
 *
 * @throws UserError when it cannot be downloaded; the signal's reason when aborted
 */
export async function downloadUrl(url: URL, { signal, onProgress }: OpenOptions): Promise<ByteSource> {
  try {
    const response = await fetch(url, { signal });
    checkAnswer(url, response);
    const pieces = response.body?.pipeThrough(counter(totalOf(response), onProgress));
    return blobSource(await new Response(pieces).blob(), url.href);
  } catch (cause) {
    throw fetchError(url, cause, signal);
  }
}

/** The length that is told is that of the transfer, which compression makes another than that of the file. */
function totalOf({ headers }: Response): number | undefined {
  const told = headers.has('content-encoding') ? null : headers.get('content-length');
  return told === null ? undefined : Number(told);
}

function counter(total: number | undefined, onProgress: OpenOptions['onProgress']) {
  let bytes = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      bytes += piece.byteLength;
      onProgress?.(bytes, total);
      controller.enqueue(piece);
    },
  });
}
