package app

import (
	_ "embed"

	"github.com/portreeve/portreeve/internal/config"
)

//go:generate go test . -run ^TestGenerated$ -update

//go:embed portreeve.schema.json
var schema []byte

// Schema is the JSON Schema of the configuration file.
func Schema() []byte { return schema }

// MakeSchema makes the schema and the reference page from the types and their
// doc comments, for go generate and the test that holds them together. root is
// the module's folder.
func MakeSchema(root string) (schema, reference []byte, err error) {
	comments, err := config.Comments(
		root+"/internal/app", root+"/internal/gateway", root+"/internal/identity", root+"/internal/policy",
		root+"/internal/mfa", root+"/internal/session", root+"/internal/agents", root+"/internal/escrow", root+"/internal/portal",
		root+"/internal/login", root+"/internal/actions", root+"/internal/castle", root+"/internal/userservice", root+"/internal/lockout", root+"/internal/metric", root+"/internal/links", root+"/internal/sms",
		root+"/internal/datadog", root+"/internal/limit", root+"/internal/client", root+"/internal/config", root+"/internal/template", root+"/internal/secret")
	if err != nil {
		return nil, nil, err
	}
	if schema, err = config.Schema(File{}, comments); err != nil {
		return nil, nil, err
	}
	reference, err = config.Reference(File{}, comments)
	return schema, reference, err
}
