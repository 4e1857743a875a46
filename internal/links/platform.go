package links

import "strings"

// Platform is what a link is opened on.
type Platform string

// The platforms. Desktop is whatever is neither of the others.
const (
	IOS     Platform = "ios"
	Android Platform = "android"
	Desktop Platform = "desktop"
)

// platformOf reads a User-Agent. An iPad that asks for desktop sites (the standard
// since iPadOS 13) says that it is a Macintosh, and no header tells it from one: it
// counts as a desktop, whose page has the link into the app for that reason.
func platformOf(userAgent string) Platform {
	has := func(s string) bool { return strings.Contains(userAgent, s) }
	switch {
	case has("Windows Phone"), has("CrOS"): // both say that they are others too
		return Desktop
	case has("iPhone"), has("iPad"), has("iPod"):
		return IOS
	case has("Android"):
		return Android
	}
	return Desktop
}
