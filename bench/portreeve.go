package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const (
	issuer   = "https://issuer.bench"
	audience = "bench"
	// measured is the route under measurement, in the middle of all others.
	measuredPath = "/bench/items/42"
	decidedPath  = "/decided/items/42"
	whoPath      = "/bench/who" // the upstream repeats the caller's subject and credential
	largePath    = "/bench/large"
)

type object = map[string]any

// adminToken opens the admin listener of processes that live for one run.
const adminToken = "only-for-the-length-of-one-benchmark"

// setup is how one Portreeve is to be.
type setup struct {
	name   string
	routes int  // before the measured ones
	secure bool // TLS, and with it HTTP/2
	admin  bool // with pprof
	stores bool // with a store, so that API keys count and users are looked up
}

// portreeve starts a Portreeve.
func (h *house) portreeve(binary string, s setup) (target, error) {
	address, err := freeAddress()
	if err != nil {
		return target{}, err
	}
	t := target{address: address, secure: s.secure}
	dir := filepath.Join(h.dir, "portreeve-"+s.name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return target{}, err
	}
	file := portreeveFile(dir, h.keyFile, address, h.upstream, h.other, s.routes)
	if s.secure {
		file["tls"] = object{"cert": h.tls.cert, "key": h.tls.key}
	}
	if s.stores {
		file["tenantApi"] = object{}
	}
	if s.admin {
		if t.admin, err = freeAddress(); err != nil {
			return target{}, err
		}
		file["admin"] = object{"listen": t.admin, "token": adminToken, "pprof": true}
	}
	if t.probes, err = freeAddress(); err != nil {
		return target{}, err
	}
	file["probes"] = object{"listen": t.probes}
	t.file = filepath.Join(dir, "portreeve.json")
	if err := writeFile(t.file, file); err != nil {
		return target{}, err
	}
	t.process, t.ready, err = h.start("portreeve "+s.name, address, binary, "serve", "-c", t.file)
	t.idle, t.log = memoryOf(t.process), accessLog(dir)
	return t, err
}

func writeFile(path string, file object) error {
	raw, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

func writeText(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// portreeveFile is the configuration: everything that a real one would have on
// the path of a request.
func portreeveFile(dir, keyFile, address, upstream, other string, routes int) object {
	roles := []object{{"name": "reader", "permissions": []string{"items:read"}}}
	list := make([]object, 0, routes+8)
	for i := range routes {
		list = append(list, guarded(fmt.Sprintf("/app%d/items/:id", i), object{"upstream": "http://" + upstream}))
		if len(roles) < routes {
			roles = append(roles, object{"name": fmt.Sprintf("role%d", i), "permissions": []string{fmt.Sprintf("thing%d:read", i)}})
		}
		if i == routes/2 {
			list = append(list, measured(upstream, other)...)
		}
	}
	return object{
		"environment": "test",
		"listen":      address,
		"admin":       object{"listen": "unix:" + filepath.Join(dir, "portreeve.sock")},
		"tenantApi":   false, // what is measured beside nginx stores nothing
		"jwt": object{
			"publicKey": "{{file." + keyFile + "}}", "issuer": issuer, "audience": audience, "trustRoles": true,
		},
		"rbac":      object{"enabled": true, "roles": roles},
		"rateLimit": object{"enabled": true, "default": object{"windowMs": 60_000, "max": 100_000_000}},
		"log":       object{"file": accessLog(dir), "format": "json"},
		"routes":    list,
	}
}

// measured are the routes that are asked.
func measured(upstream, other string) []object {
	app, second := object{"upstream": "http://" + upstream}, object{"upstream": "http://" + other}
	return []object{
		guarded("/bench/items/:id", app), guarded(whoPath, app), guarded(largePath, app),
		guarded("/decided/items/:id", object{"response": "ok"}),
		guarded(echoPath, second), guarded(eventsPath, second), guarded(helloPath, second),
		guarded(uploadPath, object{"upstream": object{"url": "http://" + other, "name": "uploads"}, "method": "post"}),
	}
}

func accessLog(dir string) string { return filepath.Join(dir, "access.log") }

func guarded(path string, answer object) object {
	r := object{"path": path, "method": "get", "requireAuth": true, "requiredPermissions": []string{"items:read"}}
	for k, v := range answer {
		r[k] = v
	}
	return r
}
