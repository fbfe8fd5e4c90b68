/** Turns the sources of a skill into the files that are launched. */

export { type Bundle, bundleAssistant, bundleHandler, bundleHealthProbe, bundleHost } from './bundle.ts';
export { bundleConsole, type ConsoleFiles } from './console.ts';
export { BundleError } from './error.ts';
export { filesOf, NATIVE_PACKAGES, type NativePackage, type NativePackageName, provideNative } from './native.ts';
