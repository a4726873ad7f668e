export { configImage, type ConfigImageOptions } from './config-image.js';
export { largeHost } from './large-host.js';
export { HostTree, treeFlags, type TreeFunction } from './host-tree.js';
