// What the process around the worker needs, without what only the worker needs: 5 MB less of memory for each guest.
export {
  DeviceModel,
  type DeviceModelExit,
  type DeviceModelOptions,
  type ModelStatus,
  type WakeSource,
} from './device-model.js';
export { DeviceModelError, type DeviceModelErrorCode, type DeviceModelErrorDetails } from './errors.js';
export { checkModelState } from './state-file.js';
