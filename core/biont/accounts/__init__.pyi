from biont.accounts.api_keys import ApiKey as ApiKey
from biont.accounts.api_keys import ApiKeys as ApiKeys
from biont.accounts.api_keys import Principal as Principal
from biont.accounts.api_keys import Scope as Scope
from biont.accounts.owned_table import OwnedTable as OwnedTable
from biont.accounts.users import User as User
from biont.accounts.users import Users as Users
