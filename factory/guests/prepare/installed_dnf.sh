rpm --query --all --queryformat '%{NAME}=%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH} %{SHA256HEADER}\n' | LC_ALL=C sort
