package vectors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const folder = "../../internal/escrow/testdata/vectors"

// tenantKey is a key of keys.json, private members and all: it is for vectors alone.
type tenantKey struct {
	Name       string          `json:"name"`
	Kid        string          `json:"kid"`
	Passphrase string          `json:"passphrase"`
	Set        json.RawMessage `json:"set"`
}

type machine struct {
	ID           string `json:"id"`
	Serial       string `json:"serial,omitempty"`
	Hostname     string `json:"hostname"`
	LastHostname string `json:"lastHostname,omitempty"`
}

// revealed is what POST /v1/secrets/{id}/reveal answers.
type revealed struct {
	Kid        string  `json:"kid"`
	Ciphertext string  `json:"ciphertext"`
	Tenant     string  `json:"tenant"`
	Kind       string  `json:"kind"`
	Machine    machine `json:"machine"`
}

type sealed struct {
	Name   string   `json:"name"`
	By     string   `json:"by"`
	Answer revealed `json:"answer"`
	Secret string   `json:"secret"`
	Bound  bool     `json:"bound"`
}

type wrapped struct {
	Name       string `json:"name"`
	By         string `json:"by"`
	Kid        string `json:"kid"`
	Wrapped    string `json:"wrapped"`
	Passphrase string `json:"passphrase"`
}

type recovery struct {
	Name   string   `json:"name"`
	By     string   `json:"by"`
	Kid    string   `json:"kid"`
	Sealed string   `json:"sealed"`
	Shares []string `json:"shares"`
	Key    string   `json:"key"` // of the recovery copy, base64url: what the shares restore
}

// listedKey is a key as GET /v1/tenant/key has it.
type listedKey struct {
	PublicKey     json.RawMessage `json:"publicKey"`
	SigningKey    json.RawMessage `json:"signingKey"`
	Signature     *string         `json:"signature"`
	Authorization *string         `json:"authorization"`
	CreatedAt     string          `json:"createdAt"`
	Predecessor   *string         `json:"predecessor"`
}

type seen struct {
	Kid       string `json:"kid"`
	Signer    string `json:"signer"`
	CreatedAt string `json:"createdAt"`
}

type chain struct {
	Name   string      `json:"name"`
	By     string      `json:"by"`
	Tenant string      `json:"tenant"`
	Pin    string      `json:"pin,omitempty"`
	Seen   *seen       `json:"seen,omitempty"`
	Keys   []listedKey `json:"keys"`
}

type good struct {
	Sealed   []sealed   `json:"sealed"`
	Wrapped  []wrapped  `json:"wrapped"`
	Recovery []recovery `json:"recovery"`
	Chains   []chain    `json:"chains"`
}

// hostile is what a reader refuses.
type hostile struct {
	Name   string `json:"name"`
	Reader string `json:"reader"` // public signer sealed wrapping recovery share statement succession chain
	Code   string `json:"code"`   // of the browser's Problem
	Before bool   `json:"before"` // nothing is derived or decrypted

	Text     string    `json:"text,omitempty"`  // public, signer, share: what is read; statement: the JWS
	Least    int       `json:"least,omitempty"` // public: bits
	Signer   string    `json:"signer,omitempty"`
	Sealed   *sealed   `json:"sealed,omitempty"`
	Wrapped  *wrapped  `json:"wrapped,omitempty"`
	Recovery *recovery `json:"recovery,omitempty"`
	Chain    *chain    `json:"chain,omitempty"`
}

func read[T any](t testing.TB, name string) (v T) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, name))
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func write(t testing.TB, name string, v any) {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), append(raw, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
