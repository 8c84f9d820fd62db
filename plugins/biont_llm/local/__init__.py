"""Backend `local`: a small model that llama.cpp runs inside the process."""
