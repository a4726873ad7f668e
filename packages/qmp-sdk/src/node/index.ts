export { connect, type ConnectOptions, type QmpAddress } from './connect.js';
export { canPassFds } from './fd-transport.js';
export { listen, type ListenAddress, type QmpListener } from './listen.js';
export { transcriptToFile, type FileTranscript } from './transcript-file.js';
export { type ScreenshotOptions, takeScreenshot } from './screenshot.js';
