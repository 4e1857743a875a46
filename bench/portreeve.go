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
)

type object = map[string]any

// portreeve starts a Portreeve with that many routes before the measured ones.
func (h *house) portreeve(binary, upstream, name string, routes int) (target, error) {
	address, err := freeAddress()
	if err != nil {
		return target{}, err
	}
	dir := filepath.Join(h.dir, "portreeve-"+name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return target{}, err
	}
	file, err := json.MarshalIndent(portreeveFile(dir, h.keyFile, address, upstream, routes), "", " ")
	if err != nil {
		return target{}, err
	}
	path := filepath.Join(dir, "portreeve.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return target{}, err
	}
	p, took, err := h.start("portreeve "+name, address, binary, "serve", "-c", path)
	return target{process: p, address: address, ready: took, idle: memoryOf(p), log: accessLog(dir)}, err
}

// portreeveFile is the configuration: everything that a real one would have on
// the path of a request.
func portreeveFile(dir, keyFile, address, upstream string, routes int) object {
	roles := []object{{"name": "reader", "permissions": []string{"items:read"}}}
	list := make([]object, 0, routes+3)
	for i := range routes {
		list = append(list, guarded(fmt.Sprintf("/app%d/items/:id", i), object{"upstream": "http://" + upstream}))
		if len(roles) < routes {
			roles = append(roles, object{"name": fmt.Sprintf("role%d", i), "permissions": []string{fmt.Sprintf("thing%d:read", i)}})
		}
		if i == routes/2 {
			list = append(list,
				guarded("/bench/items/:id", object{"upstream": "http://" + upstream}),
				guarded("/decided/items/:id", object{"response": "ok"}),
				guarded(whoPath, object{"upstream": "http://" + upstream}))
		}
	}
	return object{
		"environment": "test",
		"listen":      address,
		"store":       "sqlite:" + filepath.Join(dir, "portreeve.db"),
		"jwt": object{
			"publicKey": "{{file." + keyFile + "}}", "issuer": issuer, "audience": audience, "trustRoles": true,
		},
		"rbac":      object{"enabled": true, "roles": roles},
		"rateLimit": object{"enabled": true, "default": object{"windowMs": 60_000, "max": 100_000_000}},
		"log":       object{"file": accessLog(dir), "format": "json"},
		"routes":    list,
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
