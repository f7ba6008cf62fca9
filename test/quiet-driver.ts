/** Tests are commands too: what drivers print while they start would stand between their results. */
import { captureDriverOutput } from '@hrm-webgpu/core/node';

captureDriverOutput();
