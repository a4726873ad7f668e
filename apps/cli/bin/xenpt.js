#!/usr/bin/env node
// Committed, so that npm can link it before the first build.
import { runProcess } from '../dist/main.js';

await runProcess();
