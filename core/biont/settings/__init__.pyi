from biont.settings.loading import load_settings as load_settings
from biont.settings.section import Section as Section
from biont.settings.sections import Settings as Settings
