#!/bin/sh
# Asks for every secret that a configuration reads by {{file.secrets/NAME}}, without
# echo, and writes it: scripts/secrets.sh CONFIG. The master key is made, once.
set -eu
config=$1
portreeve() { go run ./cmd/portreeve "$@"; }
for name in $(sed -n 's|^[^#]*{{file\.secrets/\([A-Za-z0-9._-]*\)}}.*|\1|p' "$config"); do
	case $name in
	portreeve-master)
		# Another key would not open what is stored under this one.
		if [ -s "$(dirname "$config")/secrets/$name" ]; then
			echo "$name is there already"
		else
			portreeve masterkey new | portreeve secrets put -c "$config" "$name"
		fi
		;;
	*) portreeve secrets put -c "$config" "$name" ;;
	esac
done
