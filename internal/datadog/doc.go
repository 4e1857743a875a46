// Package datadog ships log entries to Datadog's intake: POST /api/v2/logs, an
// array of JSON objects, gzip, header DD-API-KEY
// (docs.datadoghq.com/api/latest/logs, "Send logs": at most 5 MB before
// compression and 1000 entries in one request, 1 MB in one entry).
//
// Whoever logs never waits for it. Entries stand in a queue of bounded length and
// size; when it is full the oldest go, and are counted. A request that failed is
// tried again where the intake says that this may help, with growing pauses.
//
// It knows nothing of what an entry says, and sends nothing that it was not given:
// what may stand in a log is for who writes it to decide.
package datadog
