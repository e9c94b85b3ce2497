"""Authentication of mail: SPF."""
