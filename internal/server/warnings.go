package server

import (
	"context"
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// warnings lets certmagic's warnings and errors into our log, and nothing less.
type warnings struct{ log *slog.Logger }

// Enabled implements zapcore.LevelEnabler.
func (warnings) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }

// With implements zapcore.Core.
func (w warnings) With(fields []zapcore.Field) zapcore.Core {
	return warnings{w.log.With(attributes(fields)...)}
}

// Check implements zapcore.Core.
func (w warnings) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if w.Enabled(e.Level) {
		return c.AddCore(e, w)
	}
	return c
}

// Write implements zapcore.Core.
func (w warnings) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level := slog.LevelWarn
	if e.Level >= zapcore.ErrorLevel {
		level = slog.LevelError
	}
	w.log.Log(context.Background(), level, "certificates: "+e.Message, attributes(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (warnings) Sync() error { return nil }

func attributes(fields []zapcore.Field) (out []any) {
	for _, f := range fields {
		m := zapcore.NewMapObjectEncoder()
		f.AddTo(m)
		for k, v := range m.Fields {
			if k != "errorVerbose" {
				out = append(out, k, v)
			}
		}
	}
	return out
}
