use super::args::ServerArgs;
use super::failure::Failure;
use crate::client::{Client, Credentials, Identity};

/// Connects to the server that the settings name, with what they show it.
pub async fn connect(server: &ServerArgs) -> Result<Client, Failure> {
    let identity = match (&server.client_cert, &server.client_key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            Some(Identity { certificate: certificate.clone(), key: key.clone() })
        }
        _ => {
            let both = "--client-cert and --client-key go together; give the one that is missing";
            return Err(Failure::Settings(both.to_owned()));
        }
    };
    let authority = server.tls_ca.clone();
    let credentials = Credentials { token: server.token.clone(), authority, identity };
    Ok(Client::connect_with(&server.address, &credentials).await?)
}
