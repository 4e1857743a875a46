package sms

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

// Config is the key sms of a site: text-me-the-app. The site is its alone.
type Config struct {
	// Origins are the pages that may ask, as browsers write them: https://example.com.
	Origins config.List[string] `json:"origins" conf:"required"`
	// Regions are the countries whose numbers get a text (ISO 3166, two letters). A number without country code is read as one of the first.
	Regions config.List[string] `json:"regions" conf:"required"`
	// Twilio sends the texts.
	Twilio TwilioConfig `json:"twilio" conf:"required"`
	// Campaigns are the texts by name. The name is the last segment of the path up to its first dot; default is that of the path /.
	Campaigns map[string]string `json:"campaigns" conf:"required"`
	// Limits count the texts that were sent. Each may be left out.
	Limits LimitsConfig `json:"limits"`
	// DedupeMs is for how long the same text is not sent to the same number again.
	DedupeMs int64 `json:"dedupeMs" conf:"default=600000"`
	// Widget serves /widget.js: a form that pages embed.
	Widget bool `json:"widget"`
	// Turnstile asks Cloudflare whether a person is there.
	Turnstile *TurnstileConfig `json:"turnstile"`
	// AcceptAbuseRisk true lifts the caps that hold in prod without turnstile: 3 texts an hour and address, 200 a day.
	AcceptAbuseRisk bool `json:"acceptAbuseRisk"`
}

// TwilioConfig is the account that pays.
type TwilioConfig struct {
	// AccountSid begins with AC.
	AccountSid string `json:"accountSid" conf:"required"`
	// AuthToken is the account's secret.
	AuthToken secret.Value `json:"authToken" conf:"required"`
	// MessagingServiceSid begins with MG.
	MessagingServiceSid string `json:"messagingServiceSid" conf:"required"`
	// BaseURL is where Twilio is.
	BaseURL config.URL `json:"baseURL" conf:"default=https://api.twilio.com"`
}

// TurnstileConfig is a widget of Cloudflare Turnstile. Its token comes in the member cf-turnstile-response.
type TurnstileConfig struct {
	// Secret is the widget's secret key.
	Secret secret.Value `json:"secret" conf:"required"`
	// Hostnames are where the check may have been solved: the hosts of origins unless written.
	Hostnames config.List[string] `json:"hostnames"`
	// Action is what the page's widget is called (data-action); any unless written.
	Action string `json:"action"`
	// BaseURL is where siteverify is.
	BaseURL config.URL `json:"baseURL" conf:"default=https://challenges.cloudflare.com/turnstile/v0"`
}

// LimitsConfig are the limits of texts that were sent.
type LimitsConfig struct {
	// PerNumber counts by number, over all campaigns.
	PerNumber *WindowConfig `json:"perNumber"`
	// PerIP counts by the caller's address; IPv6 by /64.
	PerIP *WindowConfig `json:"perIP"`
	// PerPrefix counts by number without its last four digits.
	PerPrefix *WindowConfig `json:"perPrefix"`
	// PerDay counts all texts of any 24 hours.
	PerDay *int `json:"perDay"`
}

// WindowConfig is never more than max in any span of windowMs.
type WindowConfig struct {
	// WindowMs is the span in milliseconds: from 1000 to 2592000000 (30 days).
	WindowMs int64 `json:"windowMs" conf:"required"`
	// Max is how many.
	Max int `json:"max" conf:"required"`
}
