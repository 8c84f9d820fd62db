from biont.security.redaction import redact_secrets as redact_secrets
from biont.security.vault import Vault as Vault
