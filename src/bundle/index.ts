/** Turns the sources of a skill into the files that are launched. */
export { type Bundle, BundleError, bundleHandler, bundleHost } from './bundle.ts';
