package std

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/wire"
)

// A head of HTTP/2 that says much in few bytes is refused before it is written
// out.
func TestALongHTTP2HeadTakesNoMemory(t *testing.T) {
	value := strings.Repeat("v", 4000)
	r := &http.Request{Method: "GET", RequestURI: "/", Host: "a.example.com", ProtoMajor: 2, Header: http.Header{}}
	for range 250 {
		r.Header["X-Bomb"] = append(r.Header["X-Bomb"], value)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	head, refused := http2Head(r, wire.Limits{HeadBytes: 64 << 10, Headers: 1000})
	runtime.ReadMemStats(&after)
	if head != nil || refused == nil || refused.Status != 431 {
		t.Errorf("%v, %v", head, refused)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<10 {
		t.Errorf("%d bytes were allocated", took)
	}
}
