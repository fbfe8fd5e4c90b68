/** Turns the sources of a skill into the files that are launched. */
export { type Bundle, BundleError, bundleAssistant, bundleHandler, bundleHealthProbe, bundleHost } from './bundle.ts';
