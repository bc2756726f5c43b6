/**
 * What the format expects of an implementation, for each question about an image. It follows from the
 * findings, and not from what qemu-img or cryptsetup does.
 *
 * Invariants:
 *
 * - An image that breaks a `must` of the specification may always be rejected.
 * - It must be rejected only if the question needs the broken structure, and the format gives the
 *   structure no meaning.
 * - A limit or a habit of a tool is not an expected result for other implementations.
 *
 * @module
 */

export { expectationOf, expectedUnlock } from "./expectation.ts";
export { featuresOf, isListedFeature, isPublishedFeature, publishedFeatures } from "./features.ts";
export type { Expectation, ExpectationQuery, ExpectationReason } from "./weight.ts";
