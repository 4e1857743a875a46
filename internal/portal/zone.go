package portal

import (
	"strings"
	"time"
	_ "time/tzdata" // the binary runs where no zones are installed

	"github.com/portreeve/portreeve/internal/request"
)

// zoneCookie is where a reader's script leaves the name of its time zone, so that
// pages come with the reader's times in them. Without it times are UTC.
const zoneCookie = "__Host-portreeve-zone"

// zone is a reader's time zone.
type zone struct{ *time.Location }

func zoneOf(view *request.View) zone {
	list := view.Header.Cookies(zoneCookie)
	if len(list) != 1 || len(list[0]) > 64 || strings.HasPrefix(list[0], "/") || strings.Contains(list[0], "..") || list[0] == "Local" {
		return zone{time.UTC}
	}
	loc, err := time.LoadLocation(strings.ReplaceAll(list[0], "%2F", "/"))
	if err != nil {
		return zone{time.UTC}
	}
	return zone{loc}
}
