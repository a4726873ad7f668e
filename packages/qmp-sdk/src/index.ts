export { XenptError, type XenptErrorOptions } from './errors.js';
