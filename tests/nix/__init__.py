"""The Nix side: the module without nixpkgs, its units by systemd's own checkers, the flake."""
