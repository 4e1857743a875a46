// Package metric forwards what applications measure to one intake, in batches.
//
// It must not know what the events mean: an event is a JSON object, sent on byte
// for byte as it came. Whoever sends one waits for nothing: Track puts it in a
// queue in memory, bounded by number and bytes, that drops the oldest and counts
// them.
//
// A batch is a POST of a JSON array to the url, with the key as a bearer token,
// whenever there are enough events for one, or the oldest has waited for the
// interval. A batch that the intake could not take now (no answer, late, 429, 5xx)
// is sent again up to three times, not before Retry-After, so that an event may
// arrive twice; one that it refuses is dropped. When the process ends, there are
// five seconds for what is left.
package metric
