/** What the operating system's file errors mean, in words. */

import { UserError } from '@hrm-webgpu/core';

const MEANINGS: Record<string, string> = {
  ENOENT: 'no such file or folder. Check the path, and create the folder if it is new',
  ENOTDIR: 'a part of the path is a file, not a folder. Check the path',
  EISDIR: 'it is a folder, not a file. Name the file inside it',
  ENOTEMPTY: 'it is a folder, not a file. Name the file inside it',
  EACCES: 'permission denied. Check the owner and mode of the file and of its folder',
  EPERM: 'permission denied. Check the owner and mode of the file and of its folder',
  EROFS: 'the file system is read-only. Choose another folder',
  ENOSPC: 'no space left on the device. Free some space or choose another folder',
  EDQUOT: 'the disk quota is used up. Free some space or choose another folder',
  EFBIG: 'the file would be larger than the file system or the limit (ulimit -f) allows',
  ENAMETOOLONG: 'the name is too long. Choose a shorter one',
  EMFILE: 'too many open files. Close some, or raise the limit (ulimit -n)',
  EIO: 'the device reported an input/output error. Check the disk',
};

/**
 * The error to throw when `action` ("cannot read", "cannot write") on `path` failed with `cause`: a UserError
 * for an error of the operating system, any other value as it is (a defect, or an error of the caller's own).
 */
export function fileError(action: string, path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause) || !('code' in cause)) return cause;
  const meaning = MEANINGS[String(cause.code)] ?? cause.message;
  return new UserError(`${path}: ${action}: ${meaning}.`, { cause });
}
