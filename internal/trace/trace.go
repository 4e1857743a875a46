// Package trace records why a decision fell as it did. The allow path runs
// with a nil Recorder and pays nothing; on a refusal the same pure function
// runs again over the same inputs with a Recorder.
package trace

// Step is one check of a decision.
type Step struct {
	Stage  string `json:"stage"`            // head, host, path, route, method, limit, identify, decide
	Check  string `json:"check"`            // "requiredPermissions", "jwt: audience"
	Wanted string `json:"wanted,omitempty"` // what the check asks for
	Found  string `json:"found,omitempty"`  // what it met; never a secret or a whole token
	OK     bool   `json:"ok"`
	Enough string `json:"enough,omitempty"` // of a failed check: what would have been enough
}

// Recorder collects steps. All methods work on a nil Recorder and then do
// nothing; a caller whose arguments cost something asks On first.
type Recorder struct{ Steps []Step }

// On reports whether steps are being recorded.
func (r *Recorder) On() bool { return r != nil }

// Pass records a check that held.
func (r *Recorder) Pass(stage, check, wanted, found string) {
	if r != nil {
		r.Steps = append(r.Steps, Step{Stage: stage, Check: check, Wanted: wanted, Found: found, OK: true})
	}
}

// Fail records a check that did not hold, and what would have been enough.
func (r *Recorder) Fail(stage, check, wanted, found, enough string) {
	if r != nil {
		r.Steps = append(r.Steps, Step{Stage: stage, Check: check, Wanted: wanted, Found: found, Enough: enough})
	}
}
