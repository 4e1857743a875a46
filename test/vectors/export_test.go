package vectors

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
)

type object = map[string]any

// writeExport writes what the command line opens: the export of a tenant that
// rotated its key and has an imported one's secrets, with one that was swapped, and
// what machines of it get.
func writeExport(t testing.TB, keys map[string]*ends.Key, g good) {
	t.Helper()
	view := func(l listedKey, kid string) object {
		out := object{}
		_ = json.Unmarshal(must(json.Marshal(l)), &out)
		out["kid"] = kid
		var wrappings, recovery []object
		for _, w := range g.Wrapped {
			if w.Kid == kid && w.By == "go" {
				wrappings = append(wrappings, object{"version": len(wrappings) + 1, "current": len(wrappings) == 0, "format": "jwe", "wrappedPrivateKey": w.Wrapped})
			}
		}
		for _, r := range g.Recovery {
			if r.Kid == kid && r.By == "go" {
				recovery = append(recovery, object{"sealed": r.Sealed})
				var head object
				_ = json.Unmarshal(decode(r.Sealed[:strings.IndexByte(r.Sealed, '.')]), &head)
				recovery[len(recovery)-1]["set"] = head["set"]
			}
		}
		out["wrappings"], out["recovery"] = wrappings, recovery
		return out
	}
	first, second := g.Chains[1].Keys[1], g.Chains[1].Keys[0]
	var list []object
	add := func(id, machineID, kind string, version int, s sealed) {
		list = append(list, object{"id": id, "machineId": machineID, "hostname": "as the server says", "kind": kind, "version": version, "kid": s.Answer.Kid, "ciphertext": s.Answer.Ciphertext, "createdAt": times[2]})
	}
	add("sec_1", desk.ID, "bitlocker", 1, g.Sealed[0])
	add("sec_2", desk.ID, "bitlocker", 2, g.Sealed[2]) // by the second key
	add("sec_raw", "mch_2", "bitlocker", 1, g.Sealed[4])
	add("sec_swapped", "mch_2", "bitlocker", 2, g.Sealed[1])
	escrow := object{"tenant": tenant, "keys": []object{view(second, keys["second"].Public.Kid), view(first, keys["first"].Public.Kid)},
		"machines": []machine{desk, {ID: "mch_2", Hostname: "DESK-0043"}}, "secrets": list}
	write(t, "export.json", object{"tenant": object{"id": tenant, "name": "Acme"}, "exportedAt": times[2], "users": []string{}, "parts": object{"escrow": escrow}})

	for i, text := range g.Recovery[0].Shares { // as somebody typed it in
		typed := "# of the sheet in the safe\n" + strings.ToLower(strings.ReplaceAll(text, "-", " ")) + "\n"
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("share-%d.txt", i+1)), []byte(typed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, l := range map[string]listedKey{"pubkey.json": first, "pubkey-next.json": second, "pubkey-foreign.json": listedAs(keys["foreign"], times[2], nil, nil)} {
		out := object{}
		_ = json.Unmarshal(l.PublicKey, &out)
		out["tenant"], out["createdAt"], out["signingKey"], out["signature"] = tenant, l.CreatedAt, l.SigningKey, l.Signature
		if l.Authorization != nil {
			out["authorization"] = l.Authorization
		}
		write(t, name, out)
	}
}
