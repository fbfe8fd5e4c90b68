/** Turns the sources of a skill into the files that are launched. */
export { type Bundle, BundleError, bundleHandler, bundleHealthProbe, bundleHost } from './bundle.ts';
