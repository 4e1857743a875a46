package escrow

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestOneOfManyChangesAConfigurationFromOneState(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.as("admin")
		h.want(201, admin, "POST /v1/configs", `{"name":"lab","match":{"group":"lab"},"config":{}}`)
		_, head, _ := h.ask(admin, "GET /v1/configs/lab", "")
		tag := head.Get("ETag")
		var done, refused atomic.Int64
		storetest.Callers(t, 16, func(i int) error {
			got, _, text := h.ask(admin, "POST /v1/configs/lab", fmt.Sprintf(`{"match":{"group":"lab"},"config":{"n":%d}}`, i), "If-Match: "+tag)
			switch got {
			case 200:
				done.Add(1)
			case 412:
				refused.Add(1)
			default:
				return fmt.Errorf("%d %s", got, text)
			}
			return nil
		})
		if done.Load() != 1 || refused.Load() != 15 {
			t.Errorf("%d changed it, %d were refused", done.Load(), refused.Load())
		}
		_, head, _ = h.ask(admin, "GET /v1/configs/lab?version=1", "")
		if head.Get("ETag") != tag {
			t.Error("the tag is that of the version")
		}
		_, head, _ = h.ask(admin, "GET /v1/configs/lab", "")
		if got, _, text := h.ask(admin, "POST /v1/configs/lab", `{"match":{"group":"lab"},"config":{"n":99}}`, "If-Match: "+head.Get("ETag")); got != 200 {
			t.Errorf("%d %s", got, text)
		}
		h.want(200, admin, "POST /v1/configs/lab", `{"match":{"group":"lab"},"config":{"n":100}}`)
	})
}
