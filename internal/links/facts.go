package links

// mostFacts bounds the rules that are told: a list of ten thousand is for the file.
const mostFacts = 500

// Facts are what a site's links are, told to people.
type Facts struct {
	Name           string        `json:"name,omitempty"`
	Scheme         string        `json:"scheme,omitempty"`
	Mode           string        `json:"mode"` // page or redirect
	WebCredentials bool          `json:"webcredentials"`
	IOS            []IOSFacts    `json:"ios"`
	Android        []AndroidApp  `json:"android"`
	Rules          []RuleFacts   `json:"rules"` // the first 500
	RuleCount      int           `json:"ruleCount"`
	Fallback       FallbackFacts `json:"fallback"`
	Files          []FileFacts   `json:"files"`
}

// IOSFacts is an app of the App Store. Without Paths it opens all of them; with an
// empty list none.
type IOSFacts struct {
	AppID    string   `json:"appId"`
	Paths    []string `json:"paths,omitzero"`
	AppClips []string `json:"appClips,omitempty"`
}

// RuleFacts is one kind of link.
type RuleFacts struct {
	Match string `json:"match"`
	To    string `json:"to"`
}

// FallbackFacts is where people go who do not have the app.
type FallbackFacts struct {
	IOS     string `json:"ios,omitempty"`
	Android string `json:"android,omitempty"`
	Desktop string `json:"desktop,omitempty"`
}

// FileFacts is an association file as it is served; without Body nothing is.
type FileFacts struct {
	Path string `json:"path"`
	Body string `json:"body,omitempty"`
}

// Facts are what holds in an environment.
func (c *Config) Facts(env string) Facts {
	apple, android := c.Files(env)
	f := Facts{
		Name: c.Name, Scheme: c.Scheme, Mode: c.Mode, WebCredentials: c.WebCredentials == nil || *c.WebCredentials,
		IOS: []IOSFacts{}, Android: append([]AndroidApp{}, c.Android.of(env)...), Rules: []RuleFacts{}, RuleCount: len(c.Rules),
		Fallback: FallbackFacts{IOS: c.Fallback.IOS.String(), Android: c.Fallback.Android.String(), Desktop: c.Fallback.Desktop.String()},
	}
	for _, a := range c.IOS.of(env) {
		f.IOS = append(f.IOS, IOSFacts{a.AppID, a.Paths, a.AppClips})
	}
	for _, r := range c.Rules[:min(len(c.Rules), mostFacts)] {
		f.Rules = append(f.Rules, RuleFacts{r.Match, r.To.String()})
	}
	for _, path := range applePaths {
		f.Files = append(f.Files, FileFacts{path, string(apple)})
	}
	f.Files = append(f.Files, FileFacts{androidPath, string(android)})
	return f
}
