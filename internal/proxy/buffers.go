package proxy

import "sync"

// Buffers are pooled: an exchange holds two small ones and one for the answer,
// an idle connection none.
var (
	inflowBuffers = sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }}
	uploadBuffers = sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }}
	headBuffers   = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}
	exchanges     = sync.Pool{New: func() any { return new(exchange) }}
)
