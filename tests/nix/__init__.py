"""Does the Nix side say what is meant? The module without nixpkgs, its units by systemd's own checkers, the flake."""
