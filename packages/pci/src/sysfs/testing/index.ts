export { configImage, type ConfigImageOptions } from './config-image.js';
export { HostTree, treeFlags, type TreeFunction } from './host-tree.js';
