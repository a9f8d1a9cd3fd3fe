# awk -f pick.awk NAMES LOCK: the entries of a lock file, hashes and all, whose packages NAMES lists.
# An image installs these, so a change of the lock that does not touch them rebuilds nothing.
NR == FNR { sub(/[=;[ ].*/, ""); wanted[$0]; next }
/^[A-Za-z0-9]/ { name = $0; sub(/[=;[ ].*/, "", name); keep = name in wanted }
keep
