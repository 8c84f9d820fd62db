from biont.egress.policy import EgressPolicy as EgressPolicy
from biont.egress.response import EgressResponse as EgressResponse
from biont.egress.session import EgressSession as EgressSession
