rpm --query --all --queryformat '%{NAME}=%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH} %{SIGMD5}\n' | LC_ALL=C sort
