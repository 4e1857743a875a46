package links

import (
	"github.com/portreeve/portreeve/internal/config"
)

// IOSApps are apps for all environments, or by environment.
type IOSApps struct {
	// Prod are those of environment: prod.
	Prod config.List[IOSApp] `json:"prod"`
	// Test are those of environment: test and dev.
	Test config.List[IOSApp] `json:"test"`

	every config.List[IOSApp] // a list was written
}

// AndroidApps are apps for all environments, or by environment.
type AndroidApps struct {
	// Prod are those of environment: prod.
	Prod config.List[AndroidApp] `json:"prod"`
	// Test are those of environment: test and dev.
	Test config.List[AndroidApp] `json:"test"`

	every config.List[AndroidApp]
}

// byEnvironment reports whether a value is {prod: …, test: …}.
func byEnvironment(v *config.Value) bool {
	return v.Kind() == config.Map && (v.Has("prod") || v.Has("test") || v.Has("dev"))
}

// DecodeConfig takes a list or {prod: …, test: …}.
func (a *IOSApps) DecodeConfig(v *config.Value) {
	if !byEnvironment(v) {
		v.Decode(&a.every)
		return
	}
	type plain IOSApps
	v.Decode((*plain)(a))
}

// Shapes are what ios takes.
func (IOSApps) Shapes() []any { return []any{config.List[IOSApp]{}, IOSApps{}} }

// DecodeConfig takes a list or {prod: …, test: …}.
func (a *AndroidApps) DecodeConfig(v *config.Value) {
	if !byEnvironment(v) {
		v.Decode(&a.every)
		return
	}
	type plain AndroidApps
	v.Decode((*plain)(a))
}

// Shapes are what android takes.
func (AndroidApps) Shapes() []any { return []any{config.List[AndroidApp]{}, AndroidApps{}} }

// of are the apps of an environment. Whatever is not prod is test.
func (a *IOSApps) of(env string) []IOSApp {
	switch {
	case a.every != nil:
		return a.every
	case env == "prod":
		return a.Prod
	}
	return a.Test
}

func (a *AndroidApps) of(env string) []AndroidApp {
	switch {
	case a.every != nil:
		return a.every
	case env == "prod":
		return a.Prod
	}
	return a.Test
}

func (a *IOSApps) validate(r *config.Reporter) {
	validateIOS(a.every, r)
	validateIOS(a.Prod, r.At("prod"))
	validateIOS(a.Test, r.At("test"))
}

func (a *AndroidApps) validate(r *config.Reporter) {
	validateAndroid(a.every, r)
	validateAndroid(a.Prod, r.At("prod"))
	validateAndroid(a.Test, r.At("test"))
}
