// Package links is the host behind an app's links: the association files that make
// iOS and Android open the app instead of a browser, and what a browser gets where
// that did not happen.
//
// # What stands on the host
//
//	GET /.well-known/apple-app-site-association   and /apple-app-site-association: universal links, passwords, app clips
//	GET /.well-known/assetlinks.json              Android App Links
//	GET everything else                           200 and nothing, or what a rule says
//
// With rules a phone gets a small page that opens the app's scheme and goes on to
// the store, or a 302 to the scheme; a desktop gets a 302 to a page of the owner's,
// or one with the link as a QR code. ?format=json tells programs the same.
//
// # Where a link can lead
//
// Only to the configured scheme and to the hosts of the fallbacks, whatever a URL
// holds: a target's beginning is text of the file, and what comes from a request is
// percent-encoded for the place that it stands in (target.go).
//
// # What this package must not know
//
// Sockets and stores: it keeps nothing. Check (check.go) is handed what fetches.
//
// Apple: developer.apple.com/documentation/xcode/supporting-associated-domains,
// documentation/bundleresources/applinks. Google: developers.google.com/digital-asset-links,
// developer.android.com/training/app-links.
package links
