from biont.accounts.api_keys import ApiKeys as ApiKeys
from biont.accounts.key_records import ApiKey as ApiKey
from biont.accounts.owned_table import OwnedTable as OwnedTable
from biont.accounts.principal import Narrowing as Narrowing
from biont.accounts.principal import Principal as Principal
from biont.accounts.principal import Scope as Scope
from biont.accounts.users import User as User
from biont.accounts.users import Users as Users
