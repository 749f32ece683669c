# escape=`

FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue';"]
ENV TOOLS=C:\tools `
    NAME="a `"quoted`" name"
RUN New-Item -ItemType Directory -Path $env:TOOLS | Out-Null; `
    Invoke-WebRequest -Uri 'https://example.org/tool.zip' -OutFile C:\tool.zip; `
    # unpack it
    Expand-Archive C:\tool.zip -DestinationPath $env:TOOLS; `
    Remove-Item C:\tool.zip -Force
COPY site\ C:\inetpub\wwwroot\
WORKDIR C:\inetpub\wwwroot
ENTRYPOINT ["C:\\tools\\serve.exe", "--port", "8080"]
