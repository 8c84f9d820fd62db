from biont.cli.main import main as main
from biont.cli.options import config_option as config_option
from biont.cli.options import parse_instant as parse_instant
from biont.cli.options import read_database as read_database
from biont.cli.options import read_plugin_settings as read_plugin_settings
from biont.cli.options import read_settings as read_settings
