from biont.security.error_texts import describe_exception as describe_exception
from biont.security.error_texts import explain_exception as explain_exception
from biont.security.fence import Fence as Fence
from biont.security.redaction import redact_secrets as redact_secrets
from biont.security.vault import Vault as Vault
